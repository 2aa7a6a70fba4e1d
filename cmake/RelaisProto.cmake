# SPDX-License-Identifier: EUPL-1.2
# relais_proto(<target> <file.proto>...): one static library of generated protobuf-c code.
# Generated at build time, never committed; strict warnings stop at it.
include_guard(GLOBAL)
find_program(PROTOC protoc REQUIRED)
find_program(PROTOC_GEN_C protoc-gen-c REQUIRED)

function(relais_proto target)
  set(generated)
  foreach(file IN LISTS ARGN)
    string(REGEX REPLACE "\\.proto$" "" stem ${file})
    set(out ${CMAKE_CURRENT_BINARY_DIR}/${stem}.pb-c)
    add_custom_command(
      OUTPUT ${out}.c ${out}.h
      COMMAND ${PROTOC} --plugin=protoc-gen-c=${PROTOC_GEN_C} --proto_path=${CMAKE_CURRENT_SOURCE_DIR}
              --c_out=${CMAKE_CURRENT_BINARY_DIR} ${file}
      DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${file}
      VERBATIM)
    list(APPEND generated ${out}.c ${out}.h)
  endforeach()
  add_library(${target} STATIC ${generated})
  target_compile_options(${target} PRIVATE -w)
  set_target_properties(${target} PROPERTIES C_CLANG_TIDY "" C_VISIBILITY_PRESET hidden)
  target_include_directories(${target} SYSTEM PUBLIC ${CMAKE_CURRENT_BINARY_DIR})
  target_link_libraries(${target} PUBLIC PkgConfig::PROTOBUF_C)
endfunction()
