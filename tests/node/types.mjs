// Holds recorded answers against the types of OpenAI's own JavaScript client.
// In: [{ "type": "OpenAI.FileObject", "value": … }]. Out: the compiler's complaints, none where all fit.
import ts from 'typescript';
import { fileURLToPath } from 'node:url';
import { dirname, join } from 'node:path';

const input = await new Promise((resolve) => {
  let text = '';
  process.stdin.setEncoding('utf8').on('data', (piece) => (text += piece)).on('end', () => resolve(text));
});
const folder = dirname(fileURLToPath(import.meta.url));
const file = join(folder, 'recorded.ts');
// Fields beside the client's are allowed, as a client passes them by; fields that it knows must be of its types.
const source = [
  "import type OpenAI from 'openai';",
  'type Loose<T> = T extends (infer U)[] ? Loose<U>[] : T extends object ? { [K in keyof T]: Loose<T[K]> } & { [other: string]: unknown } : T;',
  ...JSON.parse(input).map((item, index) => `export const recorded${index}: Loose<${item.type}> = ${JSON.stringify(item.value)};`),
].join('\n');

const options = { noEmit: true, strict: true, skipLibCheck: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, types: [] };
const host = ts.createCompilerHost(options);
const { getSourceFile, fileExists, readFile } = host;
host.getSourceFile = (name, ...rest) => (name === file ? ts.createSourceFile(name, source, options.target, true) : getSourceFile.call(host, name, ...rest));
host.fileExists = (name) => name === file || fileExists.call(host, name);
host.readFile = (name) => (name === file ? source : readFile.call(host, name));
const program = ts.createProgram([file], options, host);
const complaints = ts.getPreEmitDiagnostics(program).map((item) => ts.flattenDiagnosticMessageText(item.messageText, '\n'));
process.stdout.write(JSON.stringify(complaints));
