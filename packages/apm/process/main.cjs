// The tests start this program: the server of one subject. Node has loaded the monitor before it.
const [, , monitorName, subjectName] = process.argv
const monitor = require(`./monitors/${monitorName}.cjs`)
const { start } = require(`./subjects/${subjectName}.cjs`)
const { report } = require('./report.cjs')

void start().then((server) => report(server, monitor))
