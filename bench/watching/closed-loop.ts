/** Callers that each keep one job of one text under way over HTTP, for some seconds. */

const clients = 32;
/** About 64 tokens. */
const sentence = 'The river carries the water to the wheel and the wheel turns the stone that grinds the grain. ';

/** Items that ended well. Throws on any that did not. */
export async function closedLoop(url: string, model: string, seconds: number): Promise<number> {
  const until = performance.now() + seconds * 1000;
  let items = 0;
  const client = async (number: number) => {
    while (performance.now() < until) {
      const response = await fetch(`${url}/v1/jobs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', prefer: 'wait=60' },
        body: JSON.stringify({ model, input: `${sentence.repeat(3)}${number} ${items}` }),
      });
      const { status } = (await response.json()) as { status: string };
      if (status !== 'succeeded') throw new Error(`A job of the bench ended as ${status}.`);
      items++;
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
  return items;
}
