import type { BrokerStatus } from '../../eventing/broker/broker.ts'
import type { ServiceStatus } from './serving/service.ts'

export type NamedBrokerStatus = BrokerStatus & { name: string }
export type AddressedServiceStatus = ServiceStatus & { url: string }

export interface RuntimeStatus {
  pid: number
  url: string
  queue: string
  services: AddressedServiceStatus[]
  brokers: NamedBrokerStatus[]
}
