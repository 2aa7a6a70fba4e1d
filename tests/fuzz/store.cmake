# SPDX-License-Identifier: EUPL-1.2
if(TARGET relais_store)
  relais_fuzz_target(store_record SOURCES fuzz_store_record.c LIBS relais_store MAX_BYTES 1024)
  relais_fuzz_target(store_file SOURCES fuzz_store_file.c LIBS relais_store MAX_BYTES 131072)
  relais_fuzz_target(redo_log SOURCES fuzz_redo_log.c LIBS relais_store MAX_BYTES 65536)
endif()
