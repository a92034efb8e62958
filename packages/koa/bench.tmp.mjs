import Koa from 'koa'; import { wsUpgrade } from '@oneport/koa'
import http from 'node:http'
const ws = wsUpgrade(); const app = new Koa(); app.use(ws)
app.use((ctx)=>{ ctx.body='x'; const next=()=>undefined
  for (let r=0;r<5;r++){ const t=performance.now(); for(let i=0;i<1e6;i++) ws(ctx,next); console.log('ns per call', (performance.now()-t).toFixed(0)) }
})
const s=app.listen(0,()=>http.get({port:s.address().port},r=>{r.resume();r.on('end',()=>process.exit())}))
