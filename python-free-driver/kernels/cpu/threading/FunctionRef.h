//===- FunctionRef.h - a borrowed callable -----------------------------------===//
//
// A pointer to a callable that outlives the call; unlike std::function it never
// allocates, so a kernel launch costs no memory.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_THREADING_FUNCTIONREF_H
#define QRT_KERNELS_CPU_THREADING_FUNCTIONREF_H

#include <type_traits>
#include <utility>

namespace qrt::kernels {

template <typename Signature>
class FunctionRef;

template <typename R, typename... Args>
class FunctionRef<R(Args...)> {
public:
  template <typename Callable>
    requires(!std::is_same_v<std::remove_cvref_t<Callable>, FunctionRef>)
  FunctionRef(Callable &&callable)
      : object(const_cast<void *>(static_cast<const void *>(&callable))),
        invoke([](void *target, Args... args) -> R {
          return (*static_cast<std::remove_reference_t<Callable> *>(target))(
              std::forward<Args>(args)...);
        }) {}

  R operator()(Args... args) const { return invoke(object, std::forward<Args>(args)...); }

private:
  void *object;
  R (*invoke)(void *, Args...);
};

} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_THREADING_FUNCTIONREF_H
