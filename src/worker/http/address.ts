// IP addresses as text and as numbers, and sets of networks. Text is read as nginx reads it, which takes a few forms
// that others refuse; what is written is always the one usual form.

/** An address: a 32-bit number for IPv4, eight 16-bit words for IPv6. */
export type IpAddress = number | readonly number[]

/** The IPv4 address `text` spells, or -1. nginx has no 255.255.255.255. */
export function parseIpv4(text: string): number {
  let address = 0
  let octet = 0
  let dots = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === 46) {
      address = address * 256 + octet
      octet = 0
      // Too many can only be wrong, and the number must not grow.
      if (++dots > 3) return -1
    } else {
      if (code < 48 || code > 57) return -1
      octet = octet * 10 + code - 48
      if (octet > 255) return -1
    }
  }
  address = address * 256 + octet
  return dots === 3 && address !== 0xffffffff ? address : -1
}

/** The words of the IPv6 address `text` spells, or null. */
export function parseIpv6(text: string): number[] | null {
  // The longest form has 45 characters, and nginx takes one colon more.
  if (text === '' || text.length > 46) return null
  const parts = (text.startsWith(':') ? text.slice(1) : text).split(':')
  const last = parts.length - 1
  const words: number[] = []
  let zeros = -1
  for (const [index, part] of parts.entries()) {
    if (part === '') {
      if (index === last) words.push(0)
      else if (zeros >= 0) return null
      else zeros = words.length
      if (index === last && zeros < 0) return null
    } else if (/^[0-9]{1,4}\./.test(part)) {
      const ipv4 = index === last && index > 0 ? parseIpv4(part) : -1
      if (ipv4 < 0) return null
      words.push(ipv4 >>> 16, ipv4 & 0xffff)
    } else if (/^[0-9A-Fa-f]{1,4}$/.test(part)) words.push(Number.parseInt(part, 16))
    else return null
  }
  if (words.length > 8 || (words.length === 8) === zeros >= 0) return null
  if (zeros >= 0) words.splice(zeros, 0, ...Array<number>(8 - words.length).fill(0))
  return words
}

/** The address `text` spells, or null. */
export function parseAddress(text: string): IpAddress | null {
  const ipv4 = parseIpv4(text)
  return ipv4 >= 0 ? ipv4 : parseIpv6(text)
}

/** `1.2.3.4`, `1.2.3.4:80`, `::1`, `[::1]:80` -> address and port, 0 without one; null for anything else. */
export function parseAddressPort(text: string): { address: IpAddress; port: number } | null {
  const whole = parseAddress(text)
  if (whole !== null) return { address: whole, port: 0 }
  const match = /^(?:\[([^\]]*)\]|([^:]*)):([0-9]{1,15})$/.exec(text)
  if (match === null) return null
  const address = parseAddress(match[1] ?? match[2]!)
  const port = Number(match[3])
  return address === null || port < 1 || port > 65535 ? null : { address, port }
}

function formatIpv4(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`
}

/** As nginx and everybody else write it: lower case, the longest run of zeros as `::`. */
export function formatAddress(address: IpAddress): string {
  if (typeof address === 'number') return formatIpv4(address)
  let best = -1
  let length = 1
  for (let start = 0; start < 8; start++) {
    let end = start
    while (end < 8 && address[end] === 0) end++
    if (end - start > length) [best, length] = [start, end - start]
    if (end > start) start = end
  }
  if (best < 0) return hex(address)
  if (best === 0 && endsInIpv4(address, length)) {
    const front = length === 5 ? '::ffff:' : '::'
    return front + formatIpv4(address[6]! * 65536 + address[7]!)
  }
  return `${hex(address.slice(0, best))}::${hex(address.slice(best + length))}`
}

function hex(words: readonly number[]): string {
  return words.map((word) => word.toString(16)).join(':')
}

/** nginx's choice of addresses to write with an IPv4 address at their end. */
function endsInIpv4(words: readonly number[], zeros: number): boolean {
  if (zeros === 5) return words[5] === 0xffff
  return zeros === 6 || (zeros === 7 && words[7]! > 255 && (words[7]! & 255) !== 1)
}

/** The IPv4 address an IPv4-mapped one stands for (RFC 4291 section 2.5.5.2); others as they are. */
export function unmapped(address: IpAddress): IpAddress {
  if (typeof address === 'number' || address[5] !== 0xffff) return address
  for (let index = 0; index < 5; index++) if (address[index] !== 0) return address
  return address[6]! * 65536 + address[7]!
}

/** A network: an address and how many of its bits count. */
export interface Network {
  address: IpAddress
  bits: number
}

/** `10.0.0.0/8`, `::1` -> a network; `exact`: no bit behind the prefix is set. null for anything else. */
export function parseNetwork(text: string): (Network & { exact: boolean }) | null {
  const slash = text.indexOf('/')
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash))
  if (address === null) return null
  const size = typeof address === 'number' ? 32 : 128
  if (slash < 0) return { address, bits: size, exact: true }
  const length = text.slice(slash + 1)
  const bits = /^[0-9]{1,15}$/.test(length) ? Number(length) : size + 1
  if (bits > size) return null
  const masked = mask(address, bits)
  return { address: masked, bits, exact: String(masked) === String(address) }
}

function mask(address: IpAddress, bits: number): IpAddress {
  if (typeof address === 'number') return maskIpv4(address, bits)
  return address.map((word, index) => {
    const left = Math.min(Math.max(bits - index * 16, 0), 16)
    return word & (0xffff << (16 - left)) & 0xffff
  })
}

function maskIpv4(address: number, bits: number): number {
  return bits === 0 ? 0 : (address & (0xffffffff << (32 - bits))) >>> 0
}

/** Whether `address` is in the network; both of one family. */
export function contains({ address: network, bits }: Network, address: IpAddress): boolean {
  if (typeof network === 'number' || typeof address === 'number') {
    return typeof network === typeof address && maskIpv4(address as number, bits) === network
  }
  return String(mask(address, bits)) === String(network)
}

/** Networks to find an address in: one look-up for each length of prefix there is. */
export class NetworkSet {
  readonly #ipv4 = new Map<number, Set<number>>()
  readonly #ipv6 = new Map<number, Set<string>>()

  add({ address, bits }: Network): void {
    if (typeof address === 'number') put(this.#ipv4, bits, maskIpv4(address, bits))
    else put(this.#ipv6, bits, String(mask(address, bits)))
  }

  /** An IPv4-mapped address is looked for as the IPv4 address it stands for. */
  has(address: IpAddress): boolean {
    const plain = unmapped(address)
    if (typeof plain === 'number') {
      for (const [bits, networks] of this.#ipv4) if (networks.has(maskIpv4(plain, bits))) return true
      return false
    }
    for (const [bits, networks] of this.#ipv6) if (networks.has(String(mask(plain, bits)))) return true
    return false
  }
}

function put<T>(map: Map<number, Set<T>>, bits: number, network: T): void {
  const networks = map.get(bits)
  if (networks === undefined) map.set(bits, new Set([network]))
  else networks.add(network)
}
