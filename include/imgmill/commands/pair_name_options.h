// Flags of commands that work on pairs: how partners are named where that is not alike.
#pragma once

#include <optional>
#include <string>

#include "imgmill/dataset/pair_index.h"

namespace imgmill {

class Flags;

struct PairNameOptions {
  /// How the images themselves are named, around the {name} that both share. Needed only where they have a
  /// suffix of their own.
  std::string own = "{name}";

  /// How their partners are named: "{name}_x4" where photo.png goes with photo_x4.png.
  std::string partner = "{name}";

  /// --own-name and --pair-name.
  void AddFlags(Flags& flags);
  std::optional<std::string> Check() const;
  bool AreGiven() const { return own != "{name}" || partner != "{name}"; }
  /// Of options that Check has passed.
  PairNames Names() const;
};

}  // namespace imgmill
