// What duplicates may differ in when they are laid upon each other, and the options that say so.
#pragma once

#include <string>

#include "imgmill/similarity/grouping.h"

namespace imgmill {

struct LookLimits {
  double difference = 0.1;
  double colours = 8;    ///< levels of 255
  double changed = 0.2;  ///< of the most changed place

  bool Allow(const SecondLook& look) const {
    return look.difference <= difference && look.colours <= colours && look.changed <= changed;
  }
  /// "--max-difference 0.12 --max-changed 0.3": what would allow it; empty where nothing would, since the
  /// difference is above 1.
  std::string ToAllow(const SecondLook& look) const;
};

}  // namespace imgmill
