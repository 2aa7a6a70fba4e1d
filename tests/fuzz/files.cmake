# SPDX-License-Identifier: EUPL-1.2
if(TARGET relais_files_parts)
  relais_fuzz_target(safe_name SOURCES fuzz_safe_name.c LIBS relais_files_parts MAX_BYTES 1024)
  relais_fuzz_target(ledger SOURCES fuzz_ledger.c LIBS relais_files_parts MAX_BYTES 16384)
  relais_fuzz_target(sidecar SOURCES fuzz_sidecar.c LIBS relais_files_parts MAX_BYTES 4096)
endif()
