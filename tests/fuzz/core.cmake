# SPDX-License-Identifier: EUPL-1.2
if(TARGET relais_core_world)
  relais_fuzz_target(core SOURCES fuzz_core.c fuzz_core_town.c LIBS relais_core_world MAX_BYTES 4096)
endif()
