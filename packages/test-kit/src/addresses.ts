import { networkInterfaces } from 'node:os'

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))

/** The two loopback addresses behind `localhost`. */
export const loopback = ['127.0.0.1', '::1'] as const

/** A test that needs both IPv4 and IPv6; skipped on machines without `::1`. */
export const testOnBoth: jest.It = hasIpv6 ? test : test.skip
