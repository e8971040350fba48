/** A model folder in Hub layout that the repository takes for real; only an engine would notice. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export async function layBareModel(folder: string, architecture = 'BertForTokenClassification'): Promise<void> {
  await mkdir(join(folder, 'onnx'), { recursive: true });
  await writeFile(join(folder, 'config.json'), JSON.stringify({ architectures: [architecture] }));
  await writeFile(join(folder, 'onnx', 'model.onnx'), '');
}
