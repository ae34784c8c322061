import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { api } from './api.ts'
import { sessionQuery, userQuery, useSentBy, useSession, useSignOut } from './session.ts'

/** Where the user is signed in, newest first. More than a hundred places are more than anybody reads. */
export const sessionsQuery = () =>
  queryOptions({
    queryKey: ['sessions'],
    queryFn: async ({ signal }) => (await api.get('/api/sessions', { query: { limit: 100 }, signal })).items,
  })

/** Changes one's own name, or one's address with the password. */
export function useChangeMe() {
  const [queries, headers] = [useQueryClient(), useSentBy()]
  const { user_id: id } = useSession()
  return useMutation({
    mutationFn: (body: { name?: string; email?: string; current_password?: string }) =>
      api.patch('/api/users/{id}', { params: { id }, body, headers }),
    onSuccess: (user) => queries.setQueryData(userQuery(id).queryKey, user),
  })
}

/** Chooses another password. All other sessions end. */
export function useChangePassword() {
  const [queries, headers] = [useQueryClient(), useSentBy()]
  const { user_id: id } = useSession()
  return useMutation({
    mutationFn: (body: { current_password: string; new_password: string }) =>
      api.put('/api/users/{id}/password', { params: { id }, body, headers }),
    onSuccess: () => queries.invalidateQueries(sessionsQuery()),
  })
}

/** Has another link mailed that confirms the own address. */
export function useMailConfirmation() {
  const headers = useSentBy()
  return useMutation({ mutationFn: () => api.post('/api/auth/email/confirmations', { headers }) })
}

/** Ends one session, or all others. */
export function useEndSessions() {
  const [queries, headers] = [useQueryClient(), useSentBy()]
  return useMutation({
    mutationFn: (which: { id: string } | 'others') =>
      which === 'others'
        ? api.delete('/api/sessions', { query: { others: 'true' }, headers })
        : api.delete('/api/sessions/{id}', { params: which, headers }),
    onSettled: () => queries.invalidateQueries(sessionsQuery()),
  })
}

/** Deletes oneself, and then the cookies of the session that ended with it. */
export function useDeleteMe() {
  const { user_id: id } = useSession()
  const headers = useSentBy()
  const signOut = useSignOut()
  return useMutation({
    mutationFn: async () => {
      await api.delete('/api/users/{id}', { params: { id }, headers })
      await signOut()
    },
  })
}

/** Chooses a password with the token of a mailed link. All sessions of the user end, also one here. */
export function useNewPassword() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (body: { token: string; new_password: string }) =>
      api.post('/api/auth/password-resets/confirm', { body }),
    onSuccess: () => queries.invalidateQueries(sessionQuery()),
  })
}

/** Confirms an address with the token of a mailed link. */
export function useConfirmEmail() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (token: string) => api.post('/api/auth/email/confirm', { body: { token } }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['users'] }),
  })
}
