/** Model folders: each is read and its files are hashed, as a lane does before it loads them. */
import { scanRepository } from '../../models/repository/scan-repository.ts';
import { verifyFiles } from '../../models/repository/verify-files.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** 90 MB are hashed in 0.3 s; a folder of large models takes its time. */
const deadlineMs = 120_000;

export async function checkModels(folders: readonly string[]): Promise<Finding[]> {
  const { models, broken } = await scanRepository(folders);
  const signal = AbortSignal.timeout(deadlineMs);
  const findings: Finding[] = [];
  for (const files of models) {
    const name = `model ${files.id}`;
    const hashes = Object.keys(files.sha256).length;
    try {
      await verifyFiles(files, signal);
      findings.push(ok(name, `${files.task}, version ${files.version}, ${hashes} sha256 right`));
    } catch (error) {
      findings.push(fail(name, (error as Error).message, `Fetch its files again into ${files.folder}`));
    }
  }
  for (const { id, folder, reason } of broken) findings.push(fail(`model ${id}`, reason, `ls -la ${folder}`));
  if (models.length === 0 && broken.length === 0)
    findings.push(warn('models', `none in ${folders.join(', ')}`, 'MODELS_DIR=./my-models npm start'));
  return findings;
}
