# SPDX-License-Identifier: EUPL-1.2
if(TARGET relais_trust)
  relais_fuzz_target(trust SOURCES fuzz_trust.c LIBS relais_trust PkgConfig::SODIUM)
endif()
