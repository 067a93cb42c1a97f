-- The day's partition, for rows that are put in by SQL.
create table geolife.geolife_trajectory_clean_1_prt_p20301212
    partition of geolife.geolife_trajectory_clean for values in (date '2030-12-12');
