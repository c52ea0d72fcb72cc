/** The environment variable with the URL of a database that pgvector may be measured in, and that may be written to. */
export const databaseVariable = 'NIGH_BENCH_PG';
