# The tests that are written in Python: one ctest per folder, which gets the program that was built
# and the source tree in its environment.  Unit tests are registered with their modules.
set(DAG_PYTHON /usr/bin/python3)

# dag_python_file(<name> <file or folder> <timeout in seconds> [properties...])
function(dag_python_file name path timeout)
    add_test(NAME ${name} COMMAND ${DAG_PYTHON} -m pytest -q -p no:cacheprovider ${path}
        WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set(environment DAG_BINARY=${CMAKE_BINARY_DIR}/dag DAG_SOURCE_DIR=${CMAKE_SOURCE_DIR}
        DAG_BUILD_DIR=${CMAKE_BINARY_DIR} PYTHONDONTWRITEBYTECODE=1)
    set_tests_properties(${name} PROPERTIES TIMEOUT ${timeout} ${ARGN}
        ENVIRONMENT "${environment}")
endfunction()

# dag_python_test(<folder of tests/> <timeout in seconds> [properties...])
function(dag_python_test folder timeout)
    file(GLOB_RECURSE files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${folder}/test_*.py)
    if(NOT files)
        return()
    endif()
    dag_python_file(${folder} tests/${folder} ${timeout} LABELS ${folder} ${ARGN})
endfunction()

# `--long` multiplies what the slow ones do.
if("$ENV{DAG_LONG}" STREQUAL "1")
    set(DAG_SLOW 14400)
else()
    set(DAG_SLOW 1500)
endif()
dag_python_test(structure 300)
dag_python_test(cli 1500)
dag_python_test(web 900 RESOURCE_LOCK database)
dag_python_test(sandbox 1200 RESOURCE_LOCK database)
dag_python_test(templates ${DAG_SLOW})
dag_python_test(testing 900 RESOURCE_LOCK database)
dag_python_test(pipelines ${DAG_SLOW} RESOURCE_LOCK database)
dag_python_test(tutorials 900 RESOURCE_LOCK database)
math(EXPR DAG_TORTURE "2 * ${DAG_SLOW}")

# Each file of tests/torture starts servers of its own, so that two can run side by side; those that
# kill at random want the machine for themselves.
file(GLOB torture CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/torture/test_*.py)
foreach(file IN LISTS torture)
    get_filename_component(stem ${file} NAME_WE)
    string(REPLACE "test_" "" stem ${stem})
    set(alone)
    if(stem MATCHES "^(torture|kill)$")
        set(alone PROCESSORS 2)
    endif()
    dag_python_file(torture/${stem} ${file} ${DAG_TORTURE} LABELS torture ${alone})
endforeach()

# The fuzz tests: tests/fuzz/<name>/fuzz.c has LLVMFuzzerTestOneInput; its corpus and mutations of
# it are run by tests/fuzz/replay.c.  In the preset `fuzz` libFuzzer drives it (tests/fuzz/run).
add_custom_target(fuzz)
function(dag_fuzz name module)
    set(folder ${CMAKE_SOURCE_DIR}/tests/fuzz/${name})
    if(NOT EXISTS ${folder}/fuzz.c OR NOT TARGET dag_${module})
        return()
    endif()
    add_executable(fuzz_${name} ${folder}/fuzz.c)
    target_link_libraries(fuzz_${name} PRIVATE dag_${module})
    add_dependencies(fuzz fuzz_${name})
    if(DAG_SANITIZE STREQUAL "fuzz")
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
        return()
    endif()
    target_sources(fuzz_${name} PRIVATE tests/fuzz/replay.c)
    add_test(NAME fuzz/${name} COMMAND fuzz_${name} ${folder}/corpus)
    set_tests_properties(fuzz/${name} PROPERTIES LABELS fuzz TIMEOUT ${DAG_SLOW})
endfunction()
dag_fuzz(json base)
dag_fuzz(time base)
dag_fuzz(template jinja)
dag_fuzz(context definition)
dag_fuzz(cron timetable)
dag_fuzz(zone timetable)
dag_fuzz(sql sql)
dag_fuzz(yaml definition)
dag_fuzz(http web)

# What tests/templates compares with Jinja2: a program that renders many cases.
add_executable(render_many tests/templates/render_many.c)
target_link_libraries(render_many PRIVATE dag_jinja)

# Our side of bench/templates.py.
add_executable(bench_templates bench/templates.c)
target_link_libraries(bench_templates PRIVATE dag_jinja)

# The floor of bench/lint.py.
add_executable(bench_parse bench/parse.c)
target_link_libraries(bench_parse PRIVATE dag_sql)

# What bench/commit.py runs.
add_executable(bench_commit bench/commit.c)
target_link_libraries(bench_commit PRIVATE dag_store)
