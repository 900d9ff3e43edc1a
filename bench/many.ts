// Many servers with four locations each: one exact, one for a regular expression, two prefixes. The configuration's
// text, and the requests that are spread over all of it.

/** Where the backend answers anything with 1 KiB. */
export const MANY_PATH = '/many/'

const LOCATIONS = ['= /many/exact', '/many/prefix/', '~ ^/many/item-[0-9]+/', '/many/api/v1/'] as const
/** A path for each of them. */
export const MANY_PATHS = [
  '/many/exact',
  '/many/prefix/page',
  '/many/item-42/page',
  '/many/api/v1/users',
] as const

export function manyHost(server: number): string {
  return `s${server}.example.com`
}

/** The server blocks; `listen` is what their `listen` says, `server` and `location` are lines that each block has. */
export function manyServers(count: number, listen: string, server: string, location: string): string {
  const locations = LOCATIONS.map(
    (argument) => `        location ${argument} {\n${location}        }\n`,
  ).join('')
  return Array.from(
    { length: count },
    (_, index) => `    server {
        listen ${listen};
        server_name ${manyHost(index)};
${server}${locations}    }
`,
  ).join('')
}
