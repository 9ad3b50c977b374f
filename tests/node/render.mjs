// stdin: {"template", "rows": [{"messages", "tools"?}]}; stdout: the rendered texts as a JSON array.
import { readFileSync } from "node:fs";
import { Template } from "@huggingface/jinja";

const { template, rows } = JSON.parse(readFileSync(0, "utf8"));
const compiled = new Template(template);
process.stdout.write(JSON.stringify(rows.map((row) => compiled.render({ ...row, add_generation_prompt: true }))));
