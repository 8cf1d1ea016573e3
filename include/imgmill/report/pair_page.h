// The page of compare: the worst pairs, each with both images under a slider and a map of where they differ.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "imgmill/report/page_failures.h"

namespace imgmill {

struct PairPageHead {
  std::string outcome;             ///< one line: "24 pairs compared, 2 equal"
  std::vector<std::string> facts;  ///< a line each
  /// Name and mean of each metric, as tables show them.
  std::vector<std::pair<std::string, std::string>> means;
  std::string heat_from, heat_to;  ///< what black and white of the maps stand for
  uint64_t not_shown = 0;          ///< pairs that the page leaves out
  PageFailures failed;
};

struct PairCard {
  std::string name;  ///< as shown, in printable text
  std::string partner;
  std::string link;  ///< to the files, from the page
  std::string partner_link;
  std::string why;  ///< limits that it breaks; empty for none
  std::vector<std::pair<std::string, std::string>> figures;
  std::string image, other, heat;  ///< JPEG files
};

/// UTF-8, one document with a few words of script for the sliders, no reference to anything but the images'
/// own files. Without script the first image is shown beside the map.
std::string PairPageBegin(const PairPageHead& head);
std::string PairPageCard(const PairCard& card);
std::string PairPageEnd();

}  // namespace imgmill
