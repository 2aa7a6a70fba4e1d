# SPDX-License-Identifier: EUPL-1.2
# The broker's own room: everything but main() is a library, so that tests reach it.
add_library(
  relais_broker STATIC
  broker.c
  caretaker.c
  carry.c
  clock.c
  config.c
  config_print.c
  config_table.c
  directory_load.c
  loop.c
  options.c
  process.c
  pulse.c
  report.c
  signed_notes.c)
target_include_directories(relais_broker PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/broker)
target_link_libraries(
  relais_broker
  PUBLIC relais_core relais_store relais_net relais_program relais::relais
  PRIVATE $<BUILD_INTERFACE:relais_options>)

add_executable(relaisd relaisd.c)
target_link_libraries(relaisd PRIVATE relais_broker relais_options)
install(TARGETS relaisd RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
