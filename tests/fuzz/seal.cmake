# SPDX-License-Identifier: EUPL-1.2
if(TARGET relais_seal)
  foreach(side foreign inside)
    relais_fuzz_target(seal_${side} SOURCES fuzz_seal_${side}.c LIBS relais_seal PkgConfig::SODIUM)
  endforeach()
endif()
