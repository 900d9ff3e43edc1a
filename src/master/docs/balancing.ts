// What README's tables say of the ways to choose a server of an upstream, and of the parameters of `server`, beside what
// the lists in the code know. A test holds these texts to the lists.

/** Method and how it chooses, a line each, in the order of names. */
const METHODS = `
hash | by a text made of variables: the same text, the same server; \`consistent\` moves few texts to others when servers come or go (ketama)
ip_hash | by the client's address, of IPv4 by its first three bytes: the same client, the same server
least_conn | the one with the fewest requests at it for its weight
least_time | the one expected to answer first: average time to the head or the last byte of its responses, times the requests at it, for its weight; \`inflight\` counts those that wait for an answer too
random | by chance and weight; \`two\`: the better of two chosen so, by requests at them or by average time
`

/** Round robin, which no directive names. */
export const ROUND_ROBIN = 'in turn, by weight, evenly mixed: `aabacaa` for the weights 5, 1 and 1'

export interface ParameterText {
  /** The parameter with the form of its value. */
  form: string
  default: string
  does: string
}

/** Parameter, default and purpose on a line each, in the order of names. */
const PARAMETERS = `
backup | | gets requests only when none of the others can
down | | gets none
drain | | gets only requests that are bound to it by \`sticky\`
fail_timeout=time | 10s | failures are counted for so long, and the server is left out for so long; then one request tries it again
max_conns=number | 0 | most requests at the server at a time, of all workers together; 0: any number
max_fails=number | 1 | failures within \`fail_timeout\`, of all workers together, that take the server out; 0: none do
resolve | | its name is looked up again and again while weir runs, and the addresses follow
route=string | | what \`sticky\` knows the server by
service=name | | addresses and ports come from the SRV records of the name; needs \`resolve\`
slow_start=time | 0 | a server that is back gets its weight little by little in this time
weight=number | 1 | its part of the requests
`

function lines(text: string): string[][] {
  return text
    .trim()
    .split('\n')
    .map((line) => line.split(' | '))
}

/** How methods choose, by the name of their directive. */
export const methodTexts: ReadonlyMap<string, string> = new Map(
  lines(METHODS).map(([name, does]) => [name!, does!]),
)

/** Parameters of `server`, by the names of `serverParameters`. */
export const parameterTexts: ReadonlyMap<string, ParameterText> = new Map(
  lines(PARAMETERS.replaceAll(' | | ', ' |  | ')).map((cells) => {
    const [form, value, does] = cells as [string, string, string]
    return [form.replace(/=.*/, '='), { form, default: value, does }]
  }),
)
