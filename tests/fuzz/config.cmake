# SPDX-License-Identifier: EUPL-1.2
if(TARGET relais_broker)
  relais_fuzz_target(config SOURCES fuzz_config.c LIBS relais_broker MAX_BYTES 8192)
endif()
