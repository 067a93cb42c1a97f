# dag_module(<name> <folder> [link targets...]): one folder and its sub-folders as the static
# library dag_<name>.  A folder without sources makes no target, and links to targets that do not
# exist are left out.  Each tests/unit/<name>/<file>_test.c becomes a program and a test of its own.
#
# Left to targets of their own: main.c, executor/supervisor (the helper), definition/model.
function(dag_module name folder)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.c)
    list(FILTER sources EXCLUDE REGEX "/cli/main\\.c$|/executor/supervisor/")
    if(name STREQUAL executor) # what the helper and the daemon share
        list(APPEND sources ${CMAKE_SOURCE_DIR}/executor/supervisor/log_file.c)
    endif()
    if(NOT name STREQUAL model)
        list(FILTER sources EXCLUDE REGEX "/definition/model/")
    endif()
    if(NOT sources)
        return()
    endif()
    add_library(dag_${name} STATIC ${sources})
    add_dependencies(dag_${name} dag_errors)
    dag_existing(links ${ARGN})
    target_link_libraries(dag_${name} PUBLIC ${links})
    file(GLOB_RECURSE tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/${name}/*_test.c)
    foreach(test IN LISTS tests)
        dag_unit_test(${name} ${test})
    endforeach()
endfunction()

# Those of the link targets that there are.
function(dag_existing ret)
    set(found)
    foreach(link IN LISTS ARGN)
        if(NOT link MATCHES "^dag_" OR TARGET ${link})
            list(APPEND found ${link})
        endif()
    endforeach()
    set(${ret} ${found} PARENT_SCOPE)
endfunction()

function(dag_unit_test name file)
    get_filename_component(stem ${file} NAME_WE)
    # Further .c files beside the tests are helpers of that module's tests.
    file(GLOB helpers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/${name}/*.c)
    list(FILTER helpers EXCLUDE REGEX "_test\\.c$")
    add_executable(${name}_${stem} ${file} ${helpers} ${CMAKE_SOURCE_DIR}/tests/unit/test.c)
    target_link_libraries(${name}_${stem} PRIVATE dag_${name})
    target_compile_definitions(${name}_${stem} PRIVATE DAG_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
        DAG_BUILD_DIR="${CMAKE_BINARY_DIR}")
    add_test(NAME unit/${name}/${stem} COMMAND ${name}_${stem})
    set_tests_properties(unit/${name}/${stem} PROPERTIES LABELS unit TIMEOUT 600)
endfunction()

# dag_embed(<module> <folder> <symbol>): the files of a folder, compiled into the module as the
# table `symbol` of base/embedded.h.  Nothing happens while the folder or the module does not exist.
function(dag_embed module folder symbol)
    file(GLOB_RECURSE files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*)
    if(NOT files OR NOT TARGET dag_${module})
        return()
    endif()
    set(source ${CMAKE_BINARY_DIR}/generated/${symbol}.c)
    add_custom_command(OUTPUT ${source}
        COMMAND ${CMAKE_COMMAND} -DOUT=${source} -DROOT=${CMAKE_SOURCE_DIR}/${folder}
            -DSYMBOL=${symbol} "-DFILES=${files}" -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
        DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake VERBATIM)
    target_sources(dag_${module} PRIVATE ${source})
endfunction()
