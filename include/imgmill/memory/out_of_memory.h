// The one exception by which every pool refuses: a std::bad_alloc that knows who asked whom for how much.
#pragma once

#include <cstddef>
#include <new>
#include <string>

namespace imgmill {

class OutOfMemory : public std::bad_alloc {
 public:
  OutOfMemory(const std::string& pool, size_t requested, size_t charged, size_t cap);

  const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::string text_;
};

}  // namespace imgmill
