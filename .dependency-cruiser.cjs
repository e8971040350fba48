/**
 * Who may import whom. api knows HTTP; workers know processes, queues and sessions; models know machine learning; shared
 * holds only the words that the others agree on. One door per vendor: a library that must be replaced one day is
 * imported by one file. `npm run check` enforces it; swc parses, since TypeScript 7 has no compiler API for it.
 */
const tests = '\\.test\\.ts$|/testing/';

/** A package may be imported by `doors` only (and by tests). Its types may be named anywhere: they vanish. */
function door(name, packages, doors) {
  return {
    name: `door-${name}`,
    comment: `${packages} is imported through ${doors} only.`,
    severity: 'error',
    from: { pathNot: [doors, tests] },
    to: { path: `^node_modules/(${packages})(/|$)`, dependencyTypesNot: ['type-only'] },
  };
}

/** What lies under `from` must not import what `to` matches. */
function forbid(name, comment, from, to) {
  return { name, comment, severity: 'error', from, to: { path: to } };
}

module.exports = {
  forbidden: [
    forbid(
      'shared-imports-nobody',
      'shared holds words that api and workers agree on; it knows neither of them.',
      { path: '^shared/' },
      '^(api|workers|models|cli|bench|e2e|web)/',
    ),
    forbid(
      'models-know-machine-learning-only',
      'A task must work without queue, server or engine: they can change without it.',
      { path: '^models/', pathNot: tests },
      '^((api|workers|cli|bench|e2e)/|shared/(?!problems/|jobs/)|node_modules/(bullmq|express|ioredis)(/|$))',
    ),
    forbid(
      'models-run-no-session',
      'Sessions live in lanes. Parity checks and tests compare with the engine itself.',
      { path: '^models/', pathNot: [tests, '^models/parity/'] },
      '^node_modules/onnxruntime-(node|common|web)(/|$)',
    ),
    forbid(
      'api-never-computes',
      'The API accepts and answers; what a pipeline loads and runs must not come near its event loop.',
      { path: '^api/', pathNot: tests },
      '^(workers/|models/tasks/[^/]+/pipeline\\.ts|node_modules/onnxruntime-(node|common|web)(/|$))',
    ),
    forbid(
      'workers-know-no-http-api',
      'Jobs flow one way: what a worker has to say goes through the store.',
      { path: '^workers/', pathNot: tests },
      '^(api/|node_modules/express(/|$))',
    ),
    forbid(
      'cli-starts-processes',
      'The launcher knows programs by their files, not by their insides.',
      { path: '^cli/', pathNot: tests },
      '^(api|workers)/',
    ),
    forbid('nobody-imports-cli', 'cli is where things begin.', { path: '^(api|workers|models)/' }, '^cli/'),
    forbid('tests-stay-tests', 'Code that serves must not need test code.', { pathNot: [tests, '^(bench|e2e)/'] }, tests),
    door('onnxruntime', 'onnxruntime-node', '^(workers/lane/onnx-session\\.ts|models/parity/|bench/)'),
    door('sharp', 'sharp', '^models/images/(decode|encode)-image\\.ts'),
    door('ffmpeg', 'fluent-ffmpeg', '^models/audio/decode-audio\\.ts'),
    door('tokenizers', '@huggingface/tokenizers', '^models/text/token-model\\.ts'),
    door('hub', '@huggingface/hub', '^cli/models/hub/hub-client\\.ts'),
    door('cli-progress', 'cli-progress', '^cli/models/progress\\.ts'),
    door('bullmq', 'bullmq', '^(shared/jobs/|workers/claims/|workers/webhooks/|bench/)'),
    door('ioredis', 'ioredis', '^(shared/redis/|bench/|e2e/)'),
    door('drizzle', 'drizzle-orm', '^(workers/prediction-log|bench)/'),
    door('databases', 'pg|@electric-sql/pglite', '^((workers/prediction-log/database/open-database|cli/doctor/check-database)\\.ts$|bench/)'),
    door('duckdb', '@duckdb/node-api', '^workers/prediction-log/export/'),
    door('express', 'express', '^api/'),
    door('bull-board', '@bull-board/[a-z]+', '^api/board/queues/bull-board\\.ts'),
    door(
      'opentelemetry',
      '@opentelemetry/(api|resources|sdk-trace-node|exporter-trace-otlp-proto)',
      '^shared/observability/tracing/',
    ),
    door('exporter-jaeger', '@opentelemetry/exporter-jaeger', '^shared/observability/tracing/jaeger-exporter\\.ts'),
    door('standardwebhooks', 'standardwebhooks', '^workers/webhooks/'),
    door('request-filtering-agent', 'request-filtering-agent', '^shared/net/'),
    {
      name: 'no-cycles',
      comment: 'Two files that need each other when they run are one file, or miss a third.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphans',
      comment: 'A file that nobody imports is dead, unless a process or a person starts it.',
      severity: 'error',
      from: { orphan: true, pathNot: [tests, '(^|/)[a-z-]*main\\.ts$', '\\.mjs$', '\\.d\\.m?ts$'] },
      to: {},
    },
    {
      name: 'no-unresolved',
      comment: 'Every import names something that is there.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dev-packages-in-production',
      comment: '`npm ci --omit=dev` must leave everything that serving needs.',
      severity: 'error',
      from: { path: '^(api|workers|models|shared)/', pathNot: [tests, '^models/parity/'] },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm'] },
    },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/training/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
    builtInModules: { add: ['node:sqlite', 'node:test'] },
  },
};
