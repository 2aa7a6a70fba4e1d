# SPDX-License-Identifier: EUPL-1.2
if(TARGET relais_adapter_objects)
  relais_fuzz_target(adapter_record SOURCES fuzz_adapter_record.c LIBS relais_adapter_objects
                     MAX_BYTES 8192)
endif()
if(TARGET relais_exec_parts)
  relais_fuzz_target(exec_line SOURCES fuzz_exec_line.c LIBS relais_exec_parts MAX_BYTES 4096)
endif()
