// How training programs name averaged weights: net_g_ema beside net_g, ema_model beside model.
#pragma once

#include <string_view>

namespace imgmill {

/// Whether `name` is that of the averaged form of what `raw` names: it has the word "ema", and is the same
/// otherwise, but for words that every set of weights may have ("model", "state_dict", "params").
bool IsAveragedForm(std::string_view name, std::string_view raw);

}  // namespace imgmill
