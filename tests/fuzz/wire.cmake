# SPDX-License-Identifier: EUPL-1.2
foreach(message command_to_broker command_to_client envelope)
  relais_fuzz_target(${message} SOURCES fuzz_${message}.c unpack_check.c LIBS relais_wire)
endforeach()
relais_fuzz_target(body SOURCES fuzz_body.c LIBS relais_wire MAX_BYTES 4096)
