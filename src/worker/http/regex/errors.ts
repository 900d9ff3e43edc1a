// Why a pattern cannot be compiled: in PCRE2's words, with the offset it reports, or what weir does not have.

/** PCRE2's messages by its number. */
export const MESSAGES = {
  1: '\\ at end of pattern',
  2: '\\c at end of pattern',
  3: 'unrecognized character follows \\',
  4: 'numbers out of order in {} quantifier',
  5: 'number too big in {} quantifier',
  6: 'missing terminating ] for character class',
  7: 'escape sequence is invalid in character class',
  8: 'range out of order in character class',
  9: 'quantifier does not follow a repeatable item',
  11: 'unrecognized character after (? or (?-',
  12: 'POSIX named classes are supported only within a class',
  13: 'POSIX collating elements are not supported',
  14: 'missing closing parenthesis',
  15: 'reference to non-existent subpattern',
  18: 'missing ) after (?# comment',
  19: 'parentheses are too deeply nested',
  22: 'unmatched closing parenthesis',
  24: 'missing closing parenthesis for condition',
  25: 'lookbehind assertion is not fixed length',
  26: 'a relative value of zero is not allowed',
  27: 'conditional subpattern contains more than two branches',
  28: 'assertion expected after (?( or (?(?C)',
  29: 'digit expected after (?+ or (?-',
  30: 'unknown POSIX class name',
  34: 'character code point value in \\x{} or \\o{} is too large',
  37: 'PCRE2 does not support \\F, \\L, \\l, \\N{name}, \\U, or \\u',
  41: 'unrecognized character after (?P',
  42: 'syntax error in subpattern name (missing terminator?)',
  43: 'two named subpatterns have the same name (PCRE2_DUPNAMES not set)',
  44: 'subpattern name must start with a non-digit',
  48: 'subpattern name is too long (maximum 32 code units)',
  50: 'invalid range in character class',
  51: 'octal value is greater than \\377 in 8-bit non-UTF-8 mode',
  54: 'DEFINE subpattern contains more than one branch',
  55: 'missing opening brace after \\o',
  57: '\\g is not followed by a braced, angle-bracketed, or quoted name/number or by a plain number',
  58: '(?R (recursive pattern call) must be followed by a closing parenthesis',
  60: '(*VERB) not recognized or malformed',
  61: 'subpattern number is too big',
  62: 'subpattern name expected',
  64: 'non-octal character in \\o{} (closing brace missing?)',
  65: 'different names for subpatterns of the same number are not allowed',
  66: '(*MARK) must have an argument',
  67: 'non-hex character in \\x{} (closing brace missing?)',
  68: '\\c must be followed by a printable ASCII character',
  69: '\\k is not followed by a braced, angle-bracketed, or quoted name',
  71: '\\N is not supported in a class',
  78: 'digits missing in \\x{} or \\o{} or \\N{U+}',
  93: '\\N{U+dddd} is supported only in Unicode (UTF) mode',
  94: 'invalid hyphen in option setting',
  95: '(*alpha_assertion) not recognized',
  98: 'atomic assertion expected after (?( or (?(?C)',
  99: '\\K is not allowed in lookarounds (but see PCRE2_EXTRA_ALLOW_LOOKAROUND_BSK)',
} as const

/** The pattern is wrong. */
export class PatternError extends Error {
  /** Where PCRE2 stopped reading. */
  readonly offset: number

  constructor(number: keyof typeof MESSAGES, offset: number) {
    super(MESSAGES[number])
    this.offset = offset
  }
}

/** PCRE2 knows `construct`, weir does not. */
export class UnsupportedPattern extends Error {
  constructor(construct: string) {
    super(`"${construct}" in a regular expression is not supported by weir yet`)
  }
}
