// What eslint says of the page and its tests. `npm run lint`.

import js from '@eslint/js';
import globals from 'globals';

const rules = {
  eqeqeq: 'error',
  'no-var': 'error',
  'prefer-const': 'error',
  'no-unused-vars': ['error', { args: 'after-used', ignoreRestSiblings: true }],
  'no-implicit-globals': 'error',
  'no-eval': 'error',
  'no-implied-eval': 'error',
  'no-self-compare': 'error',
  'no-template-curly-in-string': 'error',
  'no-unreachable-loop': 'error',
  'no-constructor-return': 'error',
  'object-shorthand': 'error',
};

export default [
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  { files: ['server/web/**/*.js'], languageOptions: { globals: globals.browser }, rules },
  // Parts of the tests run in the page.
  { files: ['tests/browser/**/*.js'], languageOptions: { globals: { ...globals.node, ...globals.browser } }, rules },
  { files: ['tests/browser/network/pair.js'], languageOptions: { globals: { connection: 'readonly' } } },
];
