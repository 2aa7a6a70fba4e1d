# SPDX-License-Identifier: EUPL-1.2
if(TARGET relais_client_objects)
  relais_fuzz_target(client_session SOURCES fuzz_client_session.c LIBS relais_client_objects)
endif()
