# The fault simulation (tests/simulation), a build of its own of what it simulates: with the planted
# bugs compiled in, and, but for the small run under the sanitizers, optimised and without them.
function(dag_simulation name)
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/base/*.c
        ${CMAKE_SOURCE_DIR}/definition/model/*.c ${CMAKE_SOURCE_DIR}/language/timetable/*.c
        ${CMAKE_SOURCE_DIR}/scheduler/*.c ${CMAKE_SOURCE_DIR}/tests/simulation/*.c)
    add_executable(${name} ${sources})
    add_dependencies(${name} dag_errors)
    target_compile_definitions(${name} PRIVATE DAG_PLANTED)
    target_link_libraries(${name} PRIVATE PkgConfig::JANSSON PkgConfig::SODIUM Threads::Threads m)
    if(ARGN)
        target_compile_options(${name} PRIVATE ${ARGN})
        target_link_options(${name} PRIVATE ${ARGN})
    endif()
endfunction()
dag_simulation(simulation -fno-sanitize=all -O2)
dag_simulation(simulation_sanitized)

# A million task instances in ./check, a hundred million with --long.
if("$ENV{DAG_LONG}" STREQUAL "1")
    set(DAG_SIMULATED 100000000)
else()
    set(DAG_SIMULATED 1000000)
endif()
add_test(NAME simulation/all COMMAND simulation --instances ${DAG_SIMULATED})
add_test(NAME simulation/sanitized COMMAND simulation_sanitized --seed 5000 --instances 20000)
set_tests_properties(simulation/all simulation/sanitized
    PROPERTIES LABELS simulation TIMEOUT ${DAG_SLOW})

# Each planted bug is found, within a bounded number of task instances.
file(READ base/planted.h text)
string(REGEX MATCHALL " ROW\\([A-Z_]+," rows "${text}")
foreach(row IN LISTS rows)
    string(REGEX REPLACE " ROW\\(([A-Z_]+)," "\\1" bug "${row}")
    string(TOLOWER ${bug} bug)
    add_test(NAME simulation/planted/${bug}
        COMMAND simulation --planted ${bug} --instances 500000)
    set_tests_properties(simulation/planted/${bug} PROPERTIES LABELS simulation TIMEOUT 300)
endforeach()

# What a decision costs: bench/decisions.c, of interest in the preset `release`.
add_executable(bench_decisions bench/decisions.c)
target_link_libraries(bench_decisions PRIVATE dag_scheduler)
