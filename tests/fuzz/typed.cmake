# SPDX-License-Identifier: EUPL-1.2
if(TARGET relais_typed)
  foreach(format insee-deces insee-deces-csv caf-contact-csv jsonl protobuf certdc-xml etatcivil-xml recensement-xml
                 coordonnees-xml)
    string(REPLACE "-" "_" name typed_${format})
    relais_fuzz_target(
      ${name}
      SOURCES fuzz_typed.c ${PROJECT_SOURCE_DIR}/tests/unit/typed/conversion.c
      LIBS relais_typed
      MAX_BYTES 8192)
    target_compile_definitions(fuzz_${name} PRIVATE TYPED_FORMAT="${format}")
  endforeach()
endif()
