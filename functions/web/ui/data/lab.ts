import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import type { Lab, LabFault, LabRun, LabRunRequest } from '../../client/index.ts'
import { api } from './api.ts'
import { useSentBy } from './session.ts'

export type { Lab, LabFault, LabRun, LabRunRequest }
export type LabFaultKind = LabFault['kind']
export type LabScenarioName = Lab['scenarios'][number]['name']

const AGAIN_MS = 1_000

/** The lab with a list of its last runs. */
export const labQuery = () =>
  queryOptions({ queryKey: ['lab'], queryFn: ({ signal }) => api.get('/api/lab', { signal }) })

/** One run. It is asked again each second while it goes on. */
export const labRunQuery = (id: string) =>
  queryOptions({
    queryKey: ['lab', 'runs', id],
    queryFn: ({ signal }) => api.get('/api/lab/runs/{id}', { params: { id }, signal }),
    refetchInterval: ({ state: { data } }) => data?.state !== 'ended' && AGAIN_MS,
  })

/** Begins a run. */
export function useStartRun() {
  const [queries, headers] = [useQueryClient(), useSentBy()]
  return useMutation({
    mutationFn: (body: LabRunRequest) => api.post('/api/lab/runs', { body, headers }),
    onSuccess: (run) => queries.setQueryData(labRunQuery(run.id).queryKey, run),
    onSettled: () => queries.invalidateQueries({ queryKey: labQuery().queryKey, exact: true }),
  })
}

/** Stops a run and undoes all its faults. */
export function useStopRun() {
  const [queries, headers] = [useQueryClient(), useSentBy()]
  return useMutation({
    mutationFn: (id: string) => api.delete('/api/lab/runs/{id}', { params: { id }, headers }),
    onSettled: () => queries.invalidateQueries({ queryKey: labQuery().queryKey }),
  })
}

/** The address of a run's report, to save. */
export const reportAddress = ({ id }: Pick<LabRun, 'id'>, format: 'markdown' | 'json'): string =>
  `/api/lab/runs/${id}/report?format=${format}`
