/** For drizzle-kit alone, which writes migrations from the schema; nothing of ours imports it. */
export default {
  dialect: 'postgresql',
  schema: './workers/prediction-log/database/schema.ts',
  out: './workers/prediction-log/database/migrations',
};
