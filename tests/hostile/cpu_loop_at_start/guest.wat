;; Spins before it can be called.
(component
  (core module $m
    (func $spin (loop $again (br $again)))
    (start $spin)
    (func (export "f")))
  (core instance $i (instantiate $m))
  (func (export "f") (canon lift (core func $i "f"))))
