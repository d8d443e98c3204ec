;; Imports what no host has.
(component
  (import "evil:corp/backdoor@1.0.0" (instance (export "open" (func))))
  (core module $m (func (export "f")))
  (core instance $i (instantiate $m))
  (func (export "f") (canon lift (core func $i "f"))))
