// The networks of filter's --scorer.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "commands/embed/embedder.h"
#include "filter_rule.h"
#include "imgmill/commands/filter.h"

namespace imgmill {

/// What a rule about a network's signal lacks where there is no such network.
std::string NeedsScorer(const FilterRule& rule);

/// Opens those of the options, and checks that rules and scorers go together: kUsage where a rule is about a
/// network's signal that none of them gives, or one gives a signal that nothing asks for.
Result<std::vector<Scorer>> OpenScorers(const FilterOptions& options, std::span<const FilterRule> rules,
                                        const CommandServices& services);

}  // namespace imgmill
