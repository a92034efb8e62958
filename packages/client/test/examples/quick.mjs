import { ReconnectingWebSocket } from '@oneport/client'

const url = process.argv[2]

const socket = new ReconnectingWebSocket(url)
socket.onopen = () => socket.send('What did I miss?')
socket.onmessage = ({ data }) => console.log(data)
