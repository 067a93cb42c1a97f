-- The sandbox's extensions and languages, and the schema of its stand-ins for MADlib.

create extension if not exists postgis;
create extension if not exists plpython3u;

-- Greenplum 6 calls its PL/Python `plpythonu`. The same handlers under that name let such DDL run.
create or replace language plpythonu
    handler plpython3_call_handler
    inline plpython3_inline_handler
    validator plpython3_validator;

create schema if not exists madlib;
comment on schema madlib is
    'Stand-ins of the sandbox for some functions of Apache MADlib, made with PL/Python and '
    'scikit-learn. This is not MADlib.';
