/** The least a compiled program can be: one line, then nothing until it is ended. Beside it the host is measured. */
console.log("hello");
setInterval(() => {}, 1 << 30);
