/** Sends items to a running system in jobs of a hundred and gives their results in order. */

export interface ItemAnswer<Output> {
  readonly status: string;
  readonly output?: Output;
}

interface ListJob<Output> {
  readonly status: string;
  readonly output: ItemAnswer<Output>[];
  readonly urls: { readonly self: string };
}

const itemsPerJob = 100;

export async function submitItems<Output>(
  url: string,
  model: string,
  items: readonly unknown[],
): Promise<ItemAnswer<Output>[]> {
  const answers: ItemAnswer<Output>[] = [];
  for (let start = 0; start < items.length; start += itemsPerJob) {
    const inputs = items.slice(start, start + itemsPerJob);
    let response = await fetch(`${url}/v1/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'wait=60' },
      body: JSON.stringify({ model, inputs }),
    });
    let job = (await response.json()) as ListJob<Output>;
    while (response.status === 202 || job.status === 'queued' || job.status === 'processing') {
      response = await fetch(job.urls.self, { headers: { prefer: 'wait=60' } });
      job = (await response.json()) as ListJob<Output>;
    }
    if (job.status !== 'succeeded')
      throw new Error(`The job ended as ${job.status}: ${JSON.stringify(job).slice(0, 500)}`);
    answers.push(...job.output);
  }
  return answers;
}
