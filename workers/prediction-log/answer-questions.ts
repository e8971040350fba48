/** Every question of the API, answered from the record. Says no in words when the database is away. */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TaskRecord } from '../../models/task.ts';
import type {
  DriftQuestion,
  ExportQuestion,
  FeedbackQuestion,
  ItemQuestion,
  ListQuestion,
} from '../../shared/predictions/words.ts';
import type { Database } from './database/open-database.ts';
import { type Example, judgedExamples } from './export/judged-examples.ts';
import { csvOf } from './export/write-csv.ts';
import { parquetOf } from './export/write-parquet.ts';
import type { PredictionLog } from './prediction-log.ts';
import { readDrift } from './queries/drift.ts';
import { addFeedback, countItems, readPrediction } from './queries/feedback.ts';
import { listPredictions } from './queries/list-predictions.ts';
import { type Answer, type Answerer, Refusal } from './serve-questions.ts';

/** A database that opens just now is worth so long a wait. */
const openingMs = 2000;
/** A job that has just ended is a row within a tenth of a second, unless the database is behind. */
const catchUpMs = 3000;

/** Each is a page of the database in memory, and for Parquet a process and a file. */
const exportsMax = 4;
/** Who reads slowly holds up nobody but himself. */
const exportsOfTenantMax = 2;
/** Below the data folder: files of exports under way. What a killed process left there belongs to nobody. */
export const exportsFolder = 'prediction-exports';

export class Answers {
  readonly #log: PredictionLog;
  readonly #records: ReadonlyMap<string, TaskRecord>;
  readonly #dataDir: string;
  /** Their tenants. */
  readonly #exports: string[] = [];

  constructor(log: PredictionLog, records: ReadonlyMap<string, TaskRecord>, dataDir: string) {
    this.#log = log;
    this.#records = records;
    this.#dataDir = dataDir;
  }

  get all(): ReadonlyMap<string, Answerer> {
    return new Map<string, Answerer>([
      [
        'list',
        async (question: ListQuestion) => ({ json: await listPredictions(await this.#db(), question, this.#records) }),
      ],
      ['read', (question: ItemQuestion) => this.#read(question)],
      ['feedback', (question: FeedbackQuestion) => this.#judge(question)],
      [
        'knows',
        async (question: ItemQuestion) => ({ json: { known: (await countItems(await this.#db(), question)) > 0 } }),
      ],
      ['drift', async (question: DriftQuestion) => ({ json: await readDrift(await this.#db(), question, Date.now()) })],
      ['export', (question: ExportQuestion, gone: AbortSignal) => this.#export(question, gone)],
      ['media', (question: ItemQuestion) => this.#media(question)],
    ] as [string, Answerer][]);
  }

  async #db(): Promise<Database> {
    const { keeper } = this.#log;
    if (!keeper.asked) await keeper.untilUp(openingMs);
    if (keeper.asked) return keeper.asked;
    throw new Refusal(503, 'database-away', `The database of the record is away (${keeper.faultCode}).`);
  }

  /** What ended a moment ago may not be there yet: then the writer catches up first. */
  async #find(question: ItemQuestion) {
    const found = await readPrediction(await this.#db(), question, this.#records);
    if (found) return found;
    const deadline = performance.now() + catchUpMs;
    while (!(await this.#log.writer.isCaughtUp()) && performance.now() < deadline) await sleep(25);
    const later = await readPrediction(await this.#db(), question, this.#records);
    if (later) return later;
    throw new Refusal(404, 'no-prediction', 'There is no prediction of this job and item.');
  }

  async #read(question: ItemQuestion): Promise<Answer> {
    const { prediction } = await this.#find(question);
    return { json: { prediction, items: await countItems(await this.#db(), question) } };
  }

  async #judge(question: FeedbackQuestion): Promise<Answer> {
    await this.#find(question);
    if (!(await addFeedback(await this.#db(), question))) {
      throw new Refusal(422, 'bad-question', 'This prediction was judged a thousand times; nothing more is kept.');
    }
    return { json: (await this.#find(question)).prediction };
  }

  async #media(question: ItemQuestion): Promise<Answer> {
    const { media } = await this.#find(question);
    const file = media === null ? null : await this.#log.media.find(media);
    if (!file) throw new Refusal(404, 'no-prediction', 'No media of this prediction are kept.');
    return { stream: createReadStream(file.path), type: 'application/octet-stream', bytes: file.bytes };
  }

  async #export(question: ExportQuestion, gone: AbortSignal): Promise<Answer> {
    const record = this.#records.get(question.task);
    if (!record?.toExample) {
      throw new Refusal(422, 'nothing-to-learn', `Predictions of ${question.task} are nothing to train on.`);
    }
    const own = this.#exports.filter((tenant) => tenant === question.tenant);
    if (this.#exports.length >= exportsMax || own.length >= exportsOfTenantMax) {
      const count = own.length >= exportsOfTenantMax ? `${own.length} datasets of yours` : `${exportsMax} datasets`;
      throw new Refusal(503, 'busy', `${count} are exported just now; wait for one to end.`);
    }
    this.#exports.push(question.tenant);
    const over = () => void this.#exports.splice(this.#exports.indexOf(question.tenant), 1);
    try {
      const answer = await this.#openExport(question, record, gone);
      if ('stream' in answer) answer.stream.once('close', over);
      return answer;
    } catch (error) {
      over();
      throw error;
    }
  }

  async #openExport(question: ExportQuestion, record: TaskRecord, gone: AbortSignal): Promise<Answer> {
    const pages = await begun(judgedExamples(await this.#db(), question, record));
    if (question.format === 'csv') return { stream: Readable.from(csvOf(pages)), type: 'text/csv; charset=utf-8' };
    if (question.format === 'jsonl') return { stream: Readable.from(linesOf(pages)), type: 'application/jsonl' };
    const stream = await parquetOf(pages, join(this.#dataDir, exportsFolder), gone);
    if (!stream) throw new Refusal(422, 'nothing-to-learn', 'No judged prediction matches; a Parquet file needs one.');
    return { stream, type: 'application/vnd.apache.parquet' };
  }
}

async function* linesOf(pages: AsyncIterable<readonly Example[]>): AsyncGenerator<string> {
  for await (const page of pages) yield page.map((example) => `${JSON.stringify(example)}\n`).join('');
}

/** Reads the first page at once, so that what fails there is still an answer and no cut stream. */
async function begun(pages: AsyncGenerator<Example[]>): Promise<AsyncIterable<Example[]>> {
  const first = await pages.next();
  return (async function* () {
    if (first.done) return;
    yield first.value;
    yield* pages;
  })();
}
