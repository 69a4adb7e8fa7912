"""The rules, without input or output: CUFE, eDoc states, our life cycle, deadlines, actions, errors."""
