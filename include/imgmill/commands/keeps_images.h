// What a command is, beside that, which passes on images of its input: --pack can pack them where they are.
#pragma once

#include <string>
#include <vector>

namespace imgmill {

class KeepsImages {
 public:
  virtual ~KeepsImages() = default;
  /// --pack is given: to be said before the options are checked.
  virtual void ExpectPack() = 0;
  /// Patterns of the side-cars that are packed with them; empty for those that pack takes by itself.
  virtual const std::vector<std::string>& packed_sidecars() const = 0;
};

}  // namespace imgmill
