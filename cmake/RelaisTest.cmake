# SPDX-License-Identifier: EUPL-1.2
# relais_check_test(<name> LABEL <label> SOURCES <file>... LIBS <target>...): one check suite, one executable.
# <name> is dotted from the tree: unit.core.lease
include_guard(GLOBAL)

function(relais_check_test name)
  cmake_parse_arguments(arg "" "LABEL;TIMEOUT" "SOURCES;LIBS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  string(REPLACE "." "_" target ${name})
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE relais_options ${arg_LIBS} PkgConfig::CHECK)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
  add_test(NAME ${name} COMMAND ${target})
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABEL}" TIMEOUT ${arg_TIMEOUT} ENVIRONMENT
                                          "CK_TIMEOUT_MULTIPLIER=4")
endfunction()

# relais_script_test(<name> LABEL <label> COMMAND <program> <argument>...): any program that exits 0.
function(relais_script_test name)
  cmake_parse_arguments(arg "" "LABEL;TIMEOUT;RESOURCE_LOCK" "COMMAND;ENVIRONMENT" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_test(NAME ${name} COMMAND ${arg_COMMAND})
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABEL}" TIMEOUT ${arg_TIMEOUT})
  if(arg_RESOURCE_LOCK)
    set_tests_properties(${name} PROPERTIES RESOURCE_LOCK "${arg_RESOURCE_LOCK}")
  endif()
  if(arg_ENVIRONMENT)
    set_tests_properties(${name} PROPERTIES ENVIRONMENT "${arg_ENVIRONMENT}")
  endif()
endfunction()
