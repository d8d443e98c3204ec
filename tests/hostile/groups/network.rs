//! Guests that want out onto the network. Nothing here opens a socket: the network is one that remembers and refuses.
