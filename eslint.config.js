import js from '@eslint/js'
import prettier from 'eslint-config-prettier'
import reactHooks from 'eslint-plugin-react-hooks'
import globals from 'globals'
import tseslint from 'typescript-eslint'

export default tseslint.config(
  { ignores: ['**/dist/', 'coverage/', '.microbank/'] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  { languageOptions: { globals: { ...globals.node } } },
  // The rules that need types are in .oxlintrc.json, because oxlint takes an eighth of the time for them.
  // Names are whole words.
  { rules: { 'id-denylist': ['error', 'req', 'res', 'err', 'cb'] } },
  {
    files: ['**/*.ts', '**/*.tsx'],
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  { files: ['functions/web/{docs,ui}/*.js'], languageOptions: { globals: globals.browser } },
  { files: ['functions/web/ui/**/*.{ts,tsx}'], ...reactHooks.configs.flat['recommended-latest'] },
  {
    files: ['functions/web/ui/**/*.{ts,tsx}'],
    ignores: ['**/*.test.ts'],
    // The types of Node are there for the tests beside the pages.
    rules: { 'no-restricted-globals': ['error', 'process', 'Buffer', 'require', 'global', '__dirname'] },
  },
  { files: ['**/*.cjs'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
  prettier,
)
