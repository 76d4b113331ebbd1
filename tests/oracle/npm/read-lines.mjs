// SPDX-License-Identifier: BSD-2-Clause
// What AdGuard's programs make of each line of a list.
//
// usage: node read-lines.mjs <LIST >RESULT
//
// One line of output for one of input, two columns with a tab between them; fields of a column are
// separated by U+001F:
//   hostlist-compiler: "" (a comment, nothing), "-" (dropped), or the rules that it makes of the line
//   agtree: the kind of rule (E empty, C comment, X cosmetic, I invalid, H hosts line, N network
//     rule), then H: address, names; I: why; N: "@@" or "", pattern, modifiers
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { domainToASCII } from 'node:url';
import { RuleParser } from '@adguard/agtree';

const require = createRequire(import.meta.url);
const { transform } = require('@adguard/hostlist-compiler/src/transformations/transform');
const fromCompiler = createRequire(require.resolve('@adguard/hostlist-compiler'));
fromCompiler('consola').level = -1; // it would tell of every line

const SEPARATOR = '\u001f';
const OPTIONS = { tolerant: true, isLocIncluded: false, includeRaws: false, parseHostRules: true };

// In two steps: rules of a hosts line that is valid, and each of them valid as a rule of its own.
const FIRST = ['ConvertToAscii', 'TrimLines', 'RemoveComments', 'Validate', 'RemoveEmptyLines'];
const THEN = ['Compress', 'Validate'];

async function compile(line) {
  if (line.trim() === '' || (await transform([line], {}, ['TrimLines', 'RemoveComments'])).length === 0) {
    return [];
  }
  const rules = await transform(await transform([line], {}, FIRST), {}, THEN);
  return rules.length === 0 ? ['-'] : rules;
}

// As the compiler does: parts of a pattern that are not ASCII, as A-labels.
function ascii(text) {
  return text.replace(/[^\s^$|=*/@]*[^\x00-\x7f][^\s^$|=*/@]*/g, (name) => domainToASCII(name) || name);
}

function modifier(node) {
  const value = node.value === undefined ? '' : `=${node.value.value}`;
  return `${node.exception ? '~' : ''}${node.name.value}${value}`;
}

function parse(line) {
  const rule = RuleParser.parse(line, OPTIONS);
  switch (rule.category) {
    case 'Empty':
      return ['E'];
    case 'Comment':
      return ['C'];
    case 'Cosmetic':
      return ['X'];
    case 'Invalid':
      return ['I', rule.error.message];
    case 'Network':
      if (rule.type === 'HostRule') {
        return ['H', rule.ip.value, ...rule.hostnames.children.map((name) => ascii(name.value))];
      }
      return ['N', rule.exception ? '@@' : '', ascii(rule.pattern.value),
        ...(rule.modifiers?.children ?? []).map(modifier)];
    default:
      throw new Error(`agtree has a category ${rule.category}`);
  }
}

const lines = readFileSync(0, 'utf8').split(/\r?\n/);
if (lines.at(-1) === '') {
  lines.pop();
}
const out = [];
for (const line of lines) {
  const columns = [await compile(line), parse(line)];
  out.push(columns.map((fields) => fields.join(SEPARATOR).replaceAll(/[\t\n\r]/g, ' ')).join('\t'));
  if (out.length === 10000) {
    process.stdout.write(`${out.splice(0).join('\n')}\n`);
  }
}
process.stdout.write(out.map((line) => `${line}\n`).join(''));
